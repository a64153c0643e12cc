import Base
import Gateway
import HTTPClient
import Postgres
import Testing

struct ErrorResponderTests {
    @Test(arguments: [
        PostgresError.Kind.unavailable, .connectionLost, .commitOutcomeUnknown, .adminShutdown,
        .poolExhausted,
        .deadlineExceeded, .deadlock,
    ])
    func `a database that is away is something to wait for`(kind: PostgresError.Kind) {
        let problem = ErrorResponder.problem(PostgresError(kind, "socket /run/x"))
        #expect(problem.kind == .unavailable && problem.code == "database_unavailable")
        #expect(problem.retryAfterSeconds != nil)
        #expect(!problem.message.contains("/run/x"))
    }

    @Test func `what nobody foresaw says nothing to the client and everything to the log`() {
        let problem = ErrorResponder.problem(PostgresError(.invalidStatement, "no column password"))
        #expect(problem.kind == .internal && problem.code == "internal_error")
        #expect(!problem.message.contains("password"))
        #expect(problem.detail?.contains("no column password") == true)
    }

    @Test(arguments: [
        (HTTPClientError.Kind.connect, Problem.Kind.badGateway), (.firstByteTimeout, .gatewayTimeout),
        (.connectionLost, .badGateway), (.tooManyTransfers, .overloaded),
    ])
    func `a failure on the way to the upstream says whose it is`(
        kind: HTTPClientError.Kind, problem: Problem.Kind
    ) {
        let found = ErrorResponder.problem(HTTPClientError(kind, detail: "10.0.0.7"))
        #expect(found.kind == problem)
        #expect(!found.message.contains("10.0.0.7"))
    }
}
