# refused: option --from: freebsd:14.1-RELEASE is not for jails of Linux
