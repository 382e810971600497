# Bitcoin is sold to an address that the customer shows: amount, address,
# approval by a manager, y. A wrong PIN pays nothing.
do sell
screen sell
press 2 0 0 0
see "20.00"
see /0\.000\d+ BTC/
do next
say "an address of another network is refused"
scan "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4" by keyboard
see /another Bitcoin network/
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
see "bcrt 1qw5"
say "a cashier cannot approve, not even another one"
do approve
type "1\n"
see /cashiers cannot approve/i
type "2\n"
type "9999\n"
see "20.00" in dialog
do confirm
see /approval is wrong/i within 10s
expect @alerts == 0
do approve
type "Marek\n2222\n"
see "Marek" in dialog
do confirm
see "PAID OUT" within 10s
paper "20.00" within 5s
paper "Bitcoin sold"
do acknowledge
screen sell
mine 1
journal verify
