# Nobody outside is let in, and yet e-cash is taken: the practice customer comes
# over a line in memory. The mint makes its first keys meanwhile.
ring 12.30
do pay
do tender.ecash
qr /^taler\+http:.*[?]sale=/ within 30s
do customer
see "PAID" within 30s
paper "E-cash" within 5s
do acknowledge
journal verify
