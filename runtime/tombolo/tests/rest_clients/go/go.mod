module tombolo.example/rest-client

go 1.18

require github.com/go-kafka/connect v0.9.0
