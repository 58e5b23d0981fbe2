# refused: the program arp was not found
