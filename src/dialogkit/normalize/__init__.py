"""From a batch to typed tables beside the warehouse: nothing lost, nothing guessed."""
