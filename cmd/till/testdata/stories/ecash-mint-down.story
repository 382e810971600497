# The mint does not answer while a customer pays: the coins are handed over, so
# nothing else is taken for the amount and nothing counts as paid, until the mint
# is back.
size 100x30
ring 1.50
do pay
do tender.ecash
qr /^taler/ within 60s
customer taps
see "PAID" within 30s
do acknowledge
ring 0.50
do pay
do tender.ecash
qr /^taler/ within 10s
mint down
customer taps
see "waiting for the mint" within 10s
see state seen
never "PAID" for 3s
do back
cannot tender.cash because /wait for the mint/
cannot tender.bitcoin because /wait for the mint/
do tender.ecash
see "waiting for the mint"
mint up
see "PAID" within 30s
do acknowledge
journal verify
