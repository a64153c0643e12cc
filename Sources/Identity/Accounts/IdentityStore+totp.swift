package import Base
import Postgres

extension IdentityStore {
    /// A second factor that is set up and not confirmed yet.
    package struct NewTOTP: Sendable {
        package let secret: Secret
        /// For an authenticator app, as a QR code.
        package let uri: Secret
    }

    /// Begins to set up a second factor; nothing is asked for before it is confirmed.
    package func beginTOTP(of user: UUID) async throws -> NewTOTP {
        let secret = Random.bytes(TOTP.secretLength)
        let sealed = vault.seal(secret, at: .totp(user))
        return try await pool.transaction(in: .user(user)) { transaction in
            guard let account = try await account(user, transaction) else {
                throw Problem.notFound("account")
            }
            guard !account.hasTOTP else {
                throw Problem(
                    .conflict, code: "totp_enabled", "There is a second factor already. Remove it first.")
            }
            try await transaction.execute(
                """
                INSERT INTO totp_devices (user_id, sealed, wrapped_key, master_version)
                VALUES (\(user), \(sealed.sealed), \(sealed.wrappedKey), \(sealed.masterVersion))
                ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed,
                    wrapped_key = excluded.wrapped_key, master_version = excluded.master_version,
                    created_at = now(), last_step = 0
                """)
            return NewTOTP(
                secret: Secret(TOTP.text(of: secret)),
                uri: Secret(TOTP.uri(secret: secret, account: account.email, issuer: "Hivegate")))
        }
    }

    /// Turns the second factor on with a first code, and gives the recovery codes, which are shown once.
    package func confirmTOTP(_ code: String, of user: UUID, by actor: Actor) async throws -> [Secret] {
        try await pool.transaction(in: .user(user)) { transaction in
            guard try await accepts(code, of: user, isConfirmed: false, transaction) else {
                throw Problem(
                    .unprocessable, code: "invalid_code",
                    "The code does not fit. Check the clock of the device and try the next code.",
                    field: "code"
                )
            }
            try await transaction.execute(
                "UPDATE totp_devices SET confirmed_at = \(time.timestamp()) WHERE user_id = \(user)")
            let codes = (0..<10).map { _ in RecoveryCode.make() }
            try await transaction.execute("DELETE FROM recovery_codes WHERE user_id = \(user)")
            for code in codes {
                try await transaction.execute(
                    """
                    INSERT INTO recovery_codes (user_id, digest)
                    VALUES (\(user), \(RecoveryCode.digest(of: code.reveal())))
                    """)
            }
            try await recordInAll(
                of: user, AuditLog.Deed("totp.enable", "user", user), by: actor, transaction)
            return codes
        }
    }

    package func removeTOTP(of user: UUID, by actor: Actor) async throws {
        try await pool.transaction(in: .user(user)) { transaction in
            let count = try await transaction.execute("DELETE FROM totp_devices WHERE user_id = \(user)")
            guard count == 1 else { throw Problem.notFound("second factor") }
            try await transaction.execute("DELETE FROM recovery_codes WHERE user_id = \(user)")
            try await recordInAll(
                of: user, AuditLog.Deed("totp.disable", "user", user), by: actor, transaction)
        }
    }

    /// Whether `code` is one of the device's, or a recovery code. Either is good once.
    package func accepts(secondFactor code: String, of user: UUID) async throws -> Bool {
        try await pool.transaction(in: .user(user)) { transaction in
            if try await accepts(code, of: user, isConfirmed: true, transaction) { return true }
            return try await transaction.execute(
                """
                UPDATE recovery_codes SET used_at = \(time.timestamp())
                WHERE user_id = \(user) AND digest = \(RecoveryCode.digest(of: code)) AND used_at IS NULL
                """) == 1
        }
    }

    private func accepts(
        _ code: String, of user: UUID, isConfirmed: Bool, _ transaction: PostgresTransaction
    ) async throws -> Bool {
        // The lock makes two who present the same code at the same time wait for each other.
        let found = try await transaction.query(
            """
            SELECT sealed, wrapped_key, master_version, last_step FROM totp_devices
            WHERE user_id = \(user) AND (confirmed_at IS NOT NULL) = \(isConfirmed) FOR UPDATE
            """)
        guard let row = found.first else { return false }
        let lastStep = try row.decode(Int64.self, "last_step")
        let secret = try vault.open(Sealed(row), at: .totp(user))
        guard let step = TOTP.accepts(code, secret: secret, at: time.timestamp(), after: lastStep) else {
            return false
        }
        try await transaction.execute(
            "UPDATE totp_devices SET last_step = \(step) WHERE user_id = \(user)")
        return true
    }
}

extension Vault.Place {
    static func totp(_ user: UUID) -> Vault.Place { Vault.Place(kind: "totp", organization: nil, row: user) }
}

extension Sealed {
    /// From the three columns that every table of sealed secrets has.
    init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            sealed: try row.decode([UInt8].self, "sealed"),
            wrappedKey: try row.decode([UInt8].self, "wrapped_key"),
            masterVersion: try row.decode(Int16.self, "master_version"))
    }
}
