"""The provider room, over fake bottoms."""
