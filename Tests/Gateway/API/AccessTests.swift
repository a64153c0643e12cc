import Base
import Gateway
import Identity
import Testing

struct AccessTests {
    private func principal(
        _ role: Role, key scopes: KeyScopes? = nil, isOperator: Bool = false
    ) -> Principal {
        let (user, organization) = (UUID.make(), UUID.make())
        return Principal(
            user: user, organization: organization, role: role, isOperator: isOperator,
            credential: scopes.map {
                .key(
                    Caller(organization: organization, user: user, role: role, key: .make(), scopes: $0))
            }
                ?? .session(.make(), isCookie: true, bySSO: false))
    }

    private func refusal(_ access: Access, _ principal: Principal) -> String? {
        do throws(Problem) {
            try access.admit(principal)
            return nil
        } catch {
            #expect(error.kind == .forbidden)
            return error.code
        }
    }

    @Test(arguments: Role.allCases, Permission.allCases)
    func `a session may do what its role may, and is told which permission it lacks`(
        role: Role, permission: Permission
    ) {
        let expected = role.may(permission) ? nil : "role_forbidden"
        #expect(refusal(.member(permission), principal(role)) == expected)
        do throws(Problem) {
            try Access.member(permission).admit(principal(role))
        } catch {
            #expect(error.message.contains(permission.rawValue) && error.message.contains(role.rawValue))
        }
    }

    @Test func `a key may do no more than its scopes, and no more than its owner`() {
        #expect(refusal(.member(.readKeys), principal(.owner, key: .inference)) == "missing_scope")
        #expect(refusal(.member(.readKeys), principal(.owner, key: .read)) == nil)
        #expect(refusal(.member(.manageKeys), principal(.owner, key: .read)) == "missing_scope")
        #expect(refusal(.member(.manageKeys), principal(.owner, key: .admin)) == nil)
        #expect(refusal(.member(.manageKeys), principal(.member, key: .admin)) == "role_forbidden")
        #expect(refusal(.inference, principal(.member, key: .inference)) == nil)
        #expect(refusal(.inference, principal(.member, key: .read)) == "missing_scope")
        #expect(refusal(.inference, principal(.viewer, key: .inference)) == "role_forbidden")
    }

    @Test func `no key manages sessions or the instance, whoever owns it`() {
        let key = principal(.owner, key: [.admin, .read, .inference], isOperator: true)
        #expect(refusal(.signedIn, key) == "session_required")
        #expect(refusal(.operatorOnly, key) == "session_required")
        #expect(refusal(.signedIn, principal(.viewer)) == nil)
        #expect(refusal(.operatorOnly, principal(.owner)) == "role_forbidden")
        #expect(refusal(.operatorOnly, principal(.viewer, isOperator: true)) == nil)
    }

    @Test func `access has a name for the document`() {
        #expect(
            [Access.open, .inference, .signedIn, .member(.readKeys), .operatorOnly].map(\.description) == [
                "public", "key:inference", "session", "member:keys.read", "operator",
            ])
    }
}
