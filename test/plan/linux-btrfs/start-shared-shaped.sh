# refused: field nics.shape: on Linux only jails with vnet=yes are shaped
