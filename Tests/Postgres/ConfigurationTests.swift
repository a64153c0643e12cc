import Base
import Postgres
import Testing

struct ConfigurationTests {
    @Test func `a URL is taken apart`() throws {
        let configuration = try PostgresConfiguration(
            url:
                "postgresql://ada:p%40ss%2Fw@db.example:6432/main?sslmode=verify-full&application_name=x"
        )
        #expect(configuration.host == "db.example")
        #expect(configuration.port == 6432)
        #expect(configuration.database == "main")
        #expect(configuration.user == "ada")
        #expect(configuration.password?.reveal() == "p@ss/w")
        #expect(configuration.tls == ["sslmode": "verify-full"])
        #expect(configuration.applicationName == "x")
        let socket = try PostgresConfiguration(
            url: "postgres://ada@/main?host=/run/pg&port=5433&connect_timeout=3")
        #expect(socket.host == "/run/pg")
        #expect(socket.connectTimeout == .seconds(3))
        #expect(socket.port == 5433)
        let address = try PostgresConfiguration(url: "postgres://ada@[::1]:5432/main")
        #expect(address.host == "::1")
    }

    @Test(arguments: [
        ("mysql://a@b/c", "postgres://"), ("postgres://a@/c", "no host"), ("postgres://b/c", "no user"),
        ("postgres://a@b", "no database"), ("postgres://a@b:0/c", "port"), ("postgres://a@b:99999/c", "port"),
        ("postgres://a@b,d/c", "several hosts"), ("postgres://a:%zz@b/c", "password"),
        ("postgres://a@b/c%2", "database"),
        ("postgres://a@b/c?sslmode=always", "sslmode"), ("postgres://a@b/c?options=-c", "options"),
        ("postgres://a@b/c?port", "no value"), ("postgres://a:x y@b/c", "percent-encoded"),
        ("postgres://a@[::1/c", "]"), ("postgres://a@b/c?connect_timeout=0", "connect_timeout"),
    ])
    func `a URL that is wrong is refused with its fault, and without its password`(url: String, fault: String)
        async
    {
        let error = await postgresError { try PostgresConfiguration(url: url) }
        #expect(error?.kind == .invalidConfiguration)
        #expect(error?.details.message.contains(fault) == true, "\(error?.details.message ?? "")")
        let secret = await postgresError { try PostgresConfiguration(url: "postgres://a:hunter2@b:x/c") }
        #expect(secret?.debugDescription.contains("hunter2") == false)
    }
}
