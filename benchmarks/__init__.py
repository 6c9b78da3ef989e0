"""nb3d beside its peers: the same networks, the same weights, the same machine, in turns."""
