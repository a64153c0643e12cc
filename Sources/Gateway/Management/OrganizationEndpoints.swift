import HTTPWire
import Identity

/// Organizations, those in them, and those who are to come.
enum OrganizationEndpoints {
    static let all = organizations + members + invitations

    static let parameter = PathParameter(
        "organization_id", .object(.organization), "The caller's organization.")
    private static let named = BodyDescription.object(
        [Field("name", .displayName, "What it is called.")], example: #"{"name":"Example"}"#)

    private static let organizations = [
        Endpoint(
            .get, "/api/v1/organizations", "listOrganizations", group: "Organizations",
            "Lists the organizations that the caller belongs to.", access: .signedIn,
            answers: [AnswerDescription(200, "The organizations.", .list(of: .organization))]
        ) { gateway, call in try await gateway.listOrganizations(call) },
        Endpoint(
            .post, "/api/v1/organizations", "createOrganization", group: "Organizations",
            "Makes a further organization, owned by the caller.",
            description: "To work in it, switch to it. Where registration is not open, only an operator may.",
            access: .signedIn, body: named,
            answers: [AnswerDescription(201, "The organization.", .organization)]
        ) { gateway, call in try await gateway.createOrganization(call) },
        Endpoint(
            .get, "/api/v1/organizations/{organization_id}", "showOrganization", group: "Organizations",
            "Shows the organization.", access: .member(.readOrganization), parameters: [parameter],
            answers: [AnswerDescription(200, "The organization.", .organization)]
        ) { gateway, call in try await gateway.showOrganization(call) },
        Endpoint(
            .patch, "/api/v1/organizations/{organization_id}", "renameOrganization", group: "Organizations",
            "Renames the organization.", access: .member(.updateOrganization), parameters: [parameter],
            body: named, answers: [AnswerDescription(200, "The organization.", .organization)]
        ) { gateway, call in try await gateway.renameOrganization(call) },
        Endpoint(
            .delete, "/api/v1/organizations/{organization_id}", "deleteOrganization", group: "Organizations",
            "Deletes the organization: its keys and sessions end at once.",
            description: "For 30 days an operator can restore it.",
            access: .member(.deleteOrganization), parameters: [parameter],
            answers: [AnswerDescription(204, "It is deleted.")], endsSession: true
        ) { gateway, call in try await gateway.deleteOrganization(call) },
        Endpoint(
            .post, "/api/v1/organizations/{organization_id}/transfer", "transferOwnership",
            group: "Organizations", "Makes another member the owner; the caller becomes an admin.",
            access: .member(.transferOwnership), parameters: [parameter],
            body: .object(
                [Field("user_id", .uuid, "The member who is to own it.")],
                example: #"{"user_id":"019f3a52-7c1e-7b04-9d52-3f0e6a1b2c4d"}"#),
            answers: [AnswerDescription(204, "It is theirs.")], endsSession: true
        ) { gateway, call in try await gateway.transferOwnership(call) },
        Endpoint(
            .post, "/api/v1/organizations/{organization_id}/leave", "leaveOrganization",
            group: "Organizations", "Leaves the organization. The caller's keys in it end.",
            access: .signedIn, parameters: [parameter],
            answers: [AnswerDescription(204, "The caller has left.")], endsSession: true
        ) { gateway, call in try await gateway.leaveOrganization(call) },
    ]

    private static let userID = PathParameter("user_id", .object(.member), "The member.")

    private static let members = [
        Endpoint(
            .get, "/api/v1/organizations/{organization_id}/members", "listMembers", group: "Organizations",
            "Lists the members.", access: .member(.readMembers), parameters: [parameter],
            answers: [AnswerDescription(200, "The members.", .list(of: .member))]
        ) { gateway, call in try await gateway.listMembers(call) },
        Endpoint(
            .patch, "/api/v1/organizations/{organization_id}/members/{user_id}", "changeMember",
            group: "Organizations", "Gives a member another role.",
            description: "Owners give any role to anybody; admins manage members and viewers.",
            access: .member(.manageMembers), parameters: [parameter, userID],
            body: .object([Field("role", .role, "What they are to be.")], example: #"{"role":"viewer"}"#),
            answers: [
                AnswerDescription(204, "It is theirs."),
                AnswerDescription(409, "The organization would be without an owner."),
            ]
        ) { gateway, call in try await gateway.changeMember(call) },
        Endpoint(
            .delete, "/api/v1/organizations/{organization_id}/members/{user_id}", "removeMember",
            group: "Organizations", "Removes a member. Their keys end at once.",
            access: .member(.manageMembers), parameters: [parameter, userID],
            answers: [
                AnswerDescription(204, "They are gone."),
                AnswerDescription(409, "The organization would be without an owner."),
            ]
        ) { gateway, call in try await gateway.removeMember(call) },
    ]

    private static let invitations = [
        Endpoint(
            .get, "/api/v1/organizations/{organization_id}/invitations", "listInvitations",
            group: "Organizations", "Lists the invitations that can still be accepted.",
            access: .member(.readMembers), parameters: [parameter],
            answers: [AnswerDescription(200, "The invitations.", .list(of: .invitation))]
        ) { gateway, call in try await gateway.listInvitations(call) },
        Endpoint(
            .post, "/api/v1/organizations/{organization_id}/invitations", "invite", group: "Organizations",
            "Invites somebody by mail. An earlier invitation of the same address is replaced.",
            access: .member(.manageMembers), parameters: [parameter],
            body: .object(
                [
                    Field("email", .email, "Whom to invite."),
                    .optional("role", .role, default: #""member""#, "What they are to be."),
                ],
                example: #"{"email":"colleague@example.com","role":"member"}"#),
            answers: [
                AnswerDescription(201, "It is on its way.", .invitation),
                AnswerDescription(409, "They are a member already."),
            ]
        ) { gateway, call in try await gateway.invite(call) },
        Endpoint(
            .delete, "/api/v1/organizations/{organization_id}/invitations/{invitation_id}",
            "revokeInvitation", group: "Organizations", "Takes an invitation back.",
            access: .member(.manageMembers),
            parameters: [parameter, PathParameter("invitation_id", .object(.invitation), "The invitation.")],
            answers: [AnswerDescription(204, "It is good for nothing.")]
        ) { gateway, call in try await gateway.revokeInvitation(call) },
    ]
}
