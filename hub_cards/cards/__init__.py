"""Cards: templates filled from the files that training, building and scoring wrote."""
