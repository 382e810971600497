# Underpaid, then completed: the screen tells what is missing and asks for it.
ring 12.30
do pay
do tender.bitcoin
customer pays 60%
see state underpaid
see state seen
never "PAID" for 4s
see "missing" in body
qr /amount=0\.00008/ as rest
customer pays
see state accepted
see "PAID"
paper "12.30" within 5s
do acknowledge
screen register
journal verify
