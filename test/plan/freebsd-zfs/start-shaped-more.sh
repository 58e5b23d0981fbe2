# refused: field nics.eth0.shape.out.loss-burst: dummynet of this kernel loses each packet by itself; that of 15.0 knows rows
