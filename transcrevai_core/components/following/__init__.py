"""What follows jobs in the browser: their bars, the tab's title, and word when one is done."""
