# Without paper the kiosk is out of service and says why; it opens again by itself.
# A sale that is under way goes on.
screen attract
printer paper out
screen out-of-service
see /paper/i in body
cannot next
printer paper in
printer ok
screen attract
ring 3.50
do pay
do tender.bitcoin
qr /^bitcoin:/i as uri
printer paper out
see "3.50"
customer pays
see state accepted
see /paid/i
clock +20s
screen out-of-service
printer paper in
printer ok
paper "3.50" within 10s
screen attract
