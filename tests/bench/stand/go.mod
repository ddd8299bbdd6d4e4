module stand

go 1.24
