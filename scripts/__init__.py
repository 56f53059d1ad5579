"""What is run by hand or by `make`: data of the race, its targets, the pages of the site."""
