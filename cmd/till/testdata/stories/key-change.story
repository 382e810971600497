# A key that holds more than the sale takes: the rest goes back to an address of
# the customer, in the same transaction.
do sell
press 5 0 0 0
do next
scan "mwWwgctbM5MJ2T1FGmG1yoXxSado67c1zW" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 10s
do acknowledge
mine 1
do register
ring 12.30
do pay
do tender.key
scan "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47" by keyboard
see "left over" within 5s
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
see "change to"
do next
see "go back to" in dialog
do confirm
see "PAID" within 10s
paper "12.30" within 5s
paper "Key redeemed" within 5s
paper "Change to:"
do acknowledge
mine 3
do sales
see state confirmed
journal verify
