# Who may do what: a wrong PIN slows down, a cashier is lent a right for one deed,
# both names are in the journal.
see "Anna" in title
do sign-out
screen sign-in
not "Anna" in title
cannot register
type "1\n9999\n"
see /PIN is wrong/i within 10s
screen sign-in
see /one moment/i
wait 1s
type "1111\n"
screen register
see "Anna" in title
say "a price is a manager's: Marek lends the right, once"
add "Espresso"
type "200"
cannot price because /manager/i
press =
see /manager/i in dialog
type "1\n"
see /manager/i
type "2\n2222\n"
see "2.00" in body within 10s
type "150"
cannot price because /manager/i
press = esc esc
say "another user, by name, without signing out"
sign in Marek 2222
see "Marek" in title
type "100"
can price
do price
see "1.00"
do clear
sign in 1 1111
see "Anna" in title
journal verify
