import Base

/// What is said first on a connection, and what the answers mean.
struct Handshake {
    private var expected: [Step]
    private(set) var commands: [RedisCommand]

    enum Step: Equatable { case login, select, name, ping }

    enum Progress: Equatable {
        case going, done
        case failed(String)
    }

    init(_ url: RedisURL, name: String) {
        expected = []
        commands = []
        if let password = url.password {
            var login = RedisCommand("AUTH")
            if let user = url.user { login.add(user) }
            login.add(password.reveal())
            add(.login, login)
        }
        if url.database != 0 { add(.select, RedisCommand("SELECT", .integer(url.database))) }
        add(.name, RedisCommand("CLIENT", "SETNAME", .text(name)))
        // Answers LOADING, MASTERDOWN, BUSY or NOAUTH where the server is not ready for us.
        add(.ping, RedisCommand("PING"))
    }

    private mutating func add(_ step: Step, _ command: RedisCommand) {
        expected.append(step)
        commands.append(command)
    }

    mutating func receive(_ value: RedisValue) -> Progress {
        guard let step = expected.first else { return .failed("an answer that nobody asked for") }
        expected.removeFirst()
        if let error = value.error, !Self.isHarmless(error, at: step) {
            return .failed("\(Self.what(step)): \(error.message.prefix(200))")
        }
        // Were the answers out of step with the questions, this one would be another's.
        if step == .ping, value.error == nil, value != .status("PONG") {
            return .failed("PING: not its answer")
        }
        return expected.isEmpty ? .done : .going
    }

    /// A user that may only run our commands may still be refused these two.
    private static func isHarmless(_ error: RedisServerError, at step: Step) -> Bool {
        switch step {
        case .login, .select: false
        case .name: true
        case .ping: error.kind == .noPermission
        }
    }

    private static func what(_ step: Step) -> String {
        switch step {
        case .login: "login"
        case .select: "SELECT"
        case .name: "CLIENT SETNAME"
        case .ping: "PING"
        }
    }
}
