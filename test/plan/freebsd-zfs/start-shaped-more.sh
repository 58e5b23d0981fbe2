# refused: field nics.eth0.shape.out.jitter: dummynet delays all packets alike
