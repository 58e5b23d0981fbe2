# refused: field nics.eth0.shape.out.jitter: dummynet delays all packets alike (a profile of delays occupies the line, and takes its rate)
