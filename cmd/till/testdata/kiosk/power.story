# After a power cut the open sale is on the screen and is paid.
ring 4.20
do pay
do tender.bitcoin
qr /^bitcoin:/i as uri
pull power
plug power
screen pay
qr /^bitcoin:/i as again
expect $again == $uri
customer pays
see state accepted
paper "4.20" within 5s
