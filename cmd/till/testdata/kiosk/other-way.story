# A code that waits is left only by a calm hand; then it can be paid in another
# way, or the purchase given up.
ring 6.50
do pay
do tender.bitcoin
qr /^bitcoin:/i as uri
press 2 1 4 + *
press esc y
see /once more/i
screen pay
press esc
press ctrl+x y
press esc
qr /^bitcoin:/i as still
expect $still == $uri
do back
do confirm
do tender.ecash
qr /taler/i
do back
do confirm
do cancel
do confirm
screen register
see "6.50"
