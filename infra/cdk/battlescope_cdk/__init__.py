"""BattleScope on AWS: small stacks that read like the architecture."""
