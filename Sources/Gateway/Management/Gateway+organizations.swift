import Base
import Identity
import JSON

/// The handlers of `OrganizationEndpoints`.
extension Gateway {
    func listOrganizations(_ call: APICall) async throws -> Reply {
        let organizations = try await identity.store.organizations(of: call.principal.user)
        return .json { json in json.list(organizations) { json, one in json.fields(of: one) } }
    }

    func createOrganization(_ call: APICall) async throws -> Reply {
        if case .session(_, _, bySSO: true) = call.principal.credential { throw Problem.boundToSSO }
        guard identity.store.settings.registration == .open || call.principal.isOperator else {
            throw Problem.registrationClosed
        }
        let made = try await identity.store.createOrganization(
            named: call.fields.string("name"), owner: call.principal.user, by: call.actor)
        return .json(201) { json in json.fields(of: made) }
    }

    func showOrganization(_ call: APICall) async throws -> Reply {
        let found = try await identity.store.organization(
            call.ownOrganization(), for: call.principal.user)
        return .json { json in json.fields(of: found) }
    }

    func renameOrganization(_ call: APICall) async throws -> Reply {
        try await identity.store.rename(
            call.ownOrganization(), to: call.fields.string("name"), by: call.actor)
        return try await showOrganization(call)
    }

    func deleteOrganization(_ call: APICall) async throws -> Reply {
        await identity.announce(try await identity.store.delete(call.ownOrganization(), by: call.actor))
        return .empty()
    }

    func transferOwnership(_ call: APICall) async throws -> Reply {
        let change = try await identity.store.transferOwnership(
            of: call.ownOrganization(), from: call.principal.user, to: call.fields.id("user_id"),
            by: call.actor)
        await identity.announce(change)
        return .empty()
    }

    func leaveOrganization(_ call: APICall) async throws -> Reply {
        let change = try await identity.store.remove(
            call.principal.user, from: call.ownOrganization(), by: call.actor, as: nil)
        await identity.announce(change)
        return .empty()
    }

    // MARK: Members

    func listMembers(_ call: APICall) async throws -> Reply {
        let members = try await identity.store.members(of: call.ownOrganization())
        return .json { json in json.list(members) { json, one in json.fields(of: one) } }
    }

    func changeMember(_ call: APICall) async throws -> Reply {
        let change = try await identity.store.setRole(
            of: call.id("user_id"), in: call.ownOrganization(),
            to: call.fields.choice("role", as: Role.self), by: call.actor, as: call.principal.role)
        await identity.announce(change)
        return .empty()
    }

    func removeMember(_ call: APICall) async throws -> Reply {
        let change = try await identity.store.remove(
            call.id("user_id"), from: call.ownOrganization(), by: call.actor, as: call.principal.role)
        await identity.announce(change)
        return .empty()
    }

    // MARK: Invitations

    func listInvitations(_ call: APICall) async throws -> Reply {
        let invitations = try await identity.store.invitations(to: call.ownOrganization())
        return .json { json in json.list(invitations) { json, one in json.fields(of: one) } }
    }

    func invite(_ call: APICall) async throws -> Reply {
        let organization = try call.ownOrganization()
        try await identity.throttle.admit(
            account: "invite \(organization) \(call.fields.string("email"))", from: nil)
        let invitation = try await identity.store.invite(
            call.fields.string("email"), to: organization,
            as: call.fields.choice("role", as: Role.self), by: call.actor, as: call.principal.role)
        return .json(201) { json in json.fields(of: invitation) }
    }

    func revokeInvitation(_ call: APICall) async throws -> Reply {
        try await identity.store.revokeInvitation(
            call.id("invitation_id"), to: call.ownOrganization(), by: call.actor)
        return .empty()
    }
}
