"""Pictures: of sounds, of losses, and the paper's figures."""
