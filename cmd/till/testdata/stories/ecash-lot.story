# An amount below the smallest coin is paid by lot: on the average the shop gets its
# price, and the cashier reads how the lot fell.
ring 0.03
do pay
do tender.ecash
qr /^taler\+http:.*[?]sale=/ within 30s
customer taps
see "PAID" within 30s
see /paid by lot/
paper /paid by lot/ within 5s
do acknowledge
ring 0.02
do pay
do tender.ecash
qr /^taler/ within 30s
do customer
see "PAID" within 30s
do acknowledge
do sales
see state confirmed
journal verify
