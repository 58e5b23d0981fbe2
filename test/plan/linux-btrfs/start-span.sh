# refused: field nics.span: only bridges of FreeBSD have ports that watch
