# refused: field nics.eth0.shape.in.delay: this kernel has no netem, which delays and loses packets (CONFIG_NET_SCH_NETEM)
