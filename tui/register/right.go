package register

import (
	"slices"
	"strings"

	"till/protocol"
)

// Right is something that not everybody may do. Its name stands in the journal's
// override entries.
type Right string

// The rights.
const (
	MayPrice    Right = "price"    // another price than the catalogue's
	MayDiscount Right = "discount" //
	MayNoSale   Right = "no-sale"  // the drawer without a sale
	MayPayIn    Right = "pay-in"   // cash into it
	MayDrop     Right = "drop"     // cash out of it
	MayOpen     Right = "shift-open"
	MayClose    Right = "shift-close"
	MayRead     Right = "x-report" // what should lie in the drawer: a count is blind
	MaySet      Right = "settings"
)

// rights is what each role may do at least; owners may all. Payouts and refunds
// have their own approval, which the server checks.
var rights = map[Right]protocol.Role{
	MayDiscount: protocol.RoleCashier,
	MayNoSale:   protocol.RoleCashier,
	MayPayIn:    protocol.RoleCashier,
	MayPrice:    protocol.RoleManager,
	MayDrop:     protocol.RoleManager,
	MayOpen:     protocol.RoleManager,
	MayClose:    protocol.RoleManager,
	MayRead:     protocol.RoleManager,
	MaySet:      protocol.RoleOwner,
}

// Holds reports whether a role has a right.
func (right Right) Holds(role protocol.Role) bool {
	least, known := rights[right]
	return known && rank(role) >= rank(least)
}

// Least is the role that has the right.
func (right Right) Least() protocol.Role { return rights[right] }

func rank(role protocol.Role) int {
	return slices.Index([]protocol.Role{"", protocol.RoleCashier, protocol.RoleManager, protocol.RoleOwner}, role)
}

// May reports whether whoever is at the counter may do something: by their role,
// or once by another's. Where no people are set up whoever is there is the owner.
func (r Register) May(right Right) bool {
	return right.Holds(r.User.Role) || r.Grant == right || r.User.ID == "" && len(r.Config.Users) == 0
}

// FindUser finds who is meant by a number or a name.
func FindUser(users []protocol.User, who string) (protocol.User, bool) {
	who = strings.TrimSpace(who)
	for _, u := range users {
		if u.ID == who || strings.EqualFold(u.Name, who) {
			return u, true
		}
	}
	return protocol.User{}, false
}

// Overrider finds who may lend a right, and tells why that person cannot.
func Overrider(users []protocol.User, who string, right Right) (protocol.User, Why) {
	u, found := FindUser(users, who)
	switch {
	case !found:
		return u, WhyUnknownUser
	case !right.Holds(u.Role):
		return u, right.Why()
	}
	return u, ""
}

// Why says who is needed.
func (right Right) Why() Why {
	if right.Least() == protocol.RoleOwner {
		return WhyNeedsOwner
	}
	return WhyNeedsManager
}
