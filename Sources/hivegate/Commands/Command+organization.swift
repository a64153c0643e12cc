import Base
import Identity
import Loop
import Postgres

extension Command {
    static let organization = Command(
        name: "org", summary: "make an organization with its owner and a first key",
        synopsis: "create NAME --owner EMAIL",
        description: """
            Makes an organization, its owner and an API key, and prints the key and the owner's password. Neither can be
            shown again. An owner who has an account already keeps their password.
            """
    ) { arguments throws(Misuse) in
        guard arguments.count == 4, arguments[0] == "create", arguments[2] == "--owner" else {
            throw Misuse(reason: "expected: create NAME --owner EMAIL")
        }
        let (name, email) = (arguments[1], arguments[3])
        guard email.contains("@"), !name.isEmpty else {
            throw Misuse(reason: "the owner needs an e-mail address")
        }
        return Program.run { configuration, loop, logger in
            try await Storage.use(configuration, sharing: .allowed, on: loop, logger: logger) { storage in
                let identity = try await SharedIdentity.load(configuration, storage, on: loop)
                let pool = PostgresPool(storage.database, on: loop)
                let password = FirstStart.newPassword()
                let founding = try await identity.store(pool).found(
                    organization: name, owner: email,
                    password: identity.passwords.hash(password, on: loop), by: .command)
                let credentials = Credentials(
                    url: configuration.url(port: configuration.port), key: founding.key.secret,
                    ownerEmail: email, ownerPassword: founding.isNewAccount ? password : Secret(""))
                Console.print(credentials.text)
                identity.passwords.close()
                await pool.close(until: .now() + .seconds(1))
            }
        }
    }
}
