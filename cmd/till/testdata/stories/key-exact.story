# A key that holds about what the sale takes. Its coins come from the shop
# itself, which sells them to the key's address first.
do sell
press 2 0 0 0
do next
scan "mwWwgctbM5MJ2T1FGmG1yoXxSado67c1zW" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 10s
do acknowledge
mine 1
do register
ring 19.44
do pay
do tender.key
screen key
say "a typing error is said before anything is asked"
scan "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH48" by keyboard
see /typing error/i
scan "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47" by keyboard
see "19.44 EUR" within 5s
not "left to pay"
do next
see "19.44" in dialog
do confirm
see "PAID" within 10s
paper "19.44" within 5s
paper "Key or coin"
do acknowledge
screen register
mine 3
do sales
see state confirmed
say "the key holds nothing any more"
do key
scan "cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47" by keyboard
cannot next because /nothing that can be taken/i
journal verify
