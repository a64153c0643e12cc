import Base
import HTTPWire
import Identity

/// What those may do who manage the instance itself.
enum OperatorEndpoints {
    private static let after = QueryParameter("after", .uuid, "Only those behind this one.")
    private static let limit = QueryParameter(
        "limit", .integer(1...1000), default: "100", "How many at most.")
    private static let userID = PathParameter("user_id", .object(.user), "The account.")
    static let organizationID = PathParameter(
        "organization_id", .object(.anyOrganization), "Any organization of the instance.")

    static let all = [
        Endpoint(
            .get, "/api/v1/admin/organizations", "listAllOrganizations", group: "Operator",
            "Lists all organizations of the instance, deleted ones too.", access: .operatorOnly,
            query: [after, limit],
            answers: [AnswerDescription(200, "The organizations.", .list(of: .organization))]
        ) { gateway, call in try await gateway.listAllOrganizations(call) },
        Endpoint(
            .delete, "/api/v1/admin/organizations/{organization_id}", "deleteAnyOrganization",
            group: "Operator", "Deletes an organization: its keys and sessions end at once.",
            access: .operatorOnly, parameters: [organizationID],
            answers: [AnswerDescription(204, "It is deleted.")], endsSession: true
        ) { gateway, call in try await gateway.deleteAnyOrganization(call) },
        Endpoint(
            .post, "/api/v1/admin/organizations/{organization_id}/restore", "restoreOrganization",
            group: "Operator", "Brings back an organization that was deleted within the last 30 days.",
            access: .operatorOnly, parameters: [organizationID],
            answers: [AnswerDescription(204, "It is back.")]
        ) { gateway, call in try await gateway.restoreOrganization(call) },
        Endpoint(
            .get, "/api/v1/admin/users", "listAllAccounts", group: "Operator",
            "Lists all accounts of the instance.", access: .operatorOnly, query: [after, limit],
            answers: [AnswerDescription(200, "The accounts.", .list(of: .account))]
        ) { gateway, call in try await gateway.listAllAccounts(call) },
        Endpoint(
            .post, "/api/v1/admin/users/{user_id}/disable", "disableAccount", group: "Operator",
            "Shuts an account out: its sessions end, its keys are refused.", access: .operatorOnly,
            parameters: [userID], answers: [AnswerDescription(204, "It is shut out.")], endsSession: true
        ) { gateway, call in try await gateway.setAccountDisabled(call, true) },
        Endpoint(
            .post, "/api/v1/admin/users/{user_id}/enable", "enableAccount", group: "Operator",
            "Lets an account in again. Its sessions stay ended.", access: .operatorOnly,
            parameters: [userID], answers: [AnswerDescription(204, "It is in again.")]
        ) { gateway, call in try await gateway.setAccountDisabled(call, false) },
        Endpoint(
            .put, "/api/v1/admin/operators/{user_id}", "addOperator", group: "Operator",
            "Lets an account manage the instance too.", access: .operatorOnly, parameters: [userID],
            answers: [AnswerDescription(204, "It may.")]
        ) { gateway, call in try await gateway.addOperator(call) },
        Endpoint(
            .delete, "/api/v1/admin/operators/{user_id}", "removeOperator", group: "Operator",
            "Lets an account manage the instance no longer. The last one stays.", access: .operatorOnly,
            parameters: [userID],
            answers: [AnswerDescription(204, "It may not."), AnswerDescription(409, "It is the last one.")]
        ) { gateway, call in try await gateway.removeOperator(call) },
        Endpoint(
            .post, "/api/v1/admin/signing-keys/rotate", "rotateSigningKey", group: "Operator",
            "Signs access tokens under a new key from now on.",
            description: "Tokens under the old one are good until they expire.", access: .operatorOnly,
            answers: [
                AnswerDescription(
                    201, "The new key.", .object([Field("kid", .uuid, "Its name in the key set.")]))
            ]
        ) { gateway, call in try await gateway.rotateSigningKey(call) },
    ]
}
