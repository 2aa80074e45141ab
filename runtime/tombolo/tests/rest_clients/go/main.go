// A round through the API with the client of Go. Arguments: the worker's URL, a file to read, a topic.
package main

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/go-kafka/connect"
)

const (
	name  = "go"
	class = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	// Far longer than a state takes to come.
	deadline = time.Minute
)

var client *connect.Client

func main() {
	client = connect.NewClient(os.Args[1])
	config := connect.ConnectorConfig{
		"connector.class": class, "tasks.max": "1", "file": os.Args[2], "topic": os.Args[3], "name": name,
	}
	validate(config)

	created := &connect.Connector{Name: name, Config: config}
	response, err := client.CreateConnector(created)
	expect(response, err, http.StatusCreated, "create")
	check(created.Name == name && reflect.DeepEqual(created.Config, config), "created", created)
	waitFor("RUNNING")
	names, response, err := client.ListConnectors()
	expect(response, err, http.StatusOK, "list")
	check(strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" "), "list", names)
	again, err := client.CreateConnector(&connect.Connector{Name: name, Config: config})
	check(err != nil && again.StatusCode == http.StatusConflict, "create again", err)
	check(err.(connect.APIError).Message == "Connector go already exists", "create again", err)
	found, response, err := client.GetConnector(name)
	expect(response, err, http.StatusOK, "get")
	check(len(found.Tasks) == 1 && found.Tasks[0] == connect.TaskID{ConnectorName: name, ID: 0}, "get", found)
	kept, response, err := client.GetConnectorConfig(name)
	expect(response, err, http.StatusOK, "config")
	check(reflect.DeepEqual(kept, config), "config", kept)
	tasks, response, err := client.GetConnectorTasks(name)
	expect(response, err, http.StatusOK, "tasks")
	check(len(tasks) == 1 && tasks[0].Config["file"] == os.Args[2], "tasks", tasks)

	response, err = client.PauseConnector(name)
	expect(response, err, http.StatusAccepted, "pause")
	waitFor("PAUSED")
	response, err = client.ResumeConnector(name)
	expect(response, err, http.StatusAccepted, "resume")
	waitFor("RUNNING")
	offsets()

	response, err = client.RestartConnector(name)
	expect(response, err, http.StatusNoContent, "restart")
	waitFor("RUNNING")
	_, response, err = client.UpdateConnectorConfig(name, config)
	expect(response, err, http.StatusOK, "update")
	waitFor("RUNNING")
	response, err = client.DeleteConnector(name)
	expect(response, err, http.StatusNoContent, "delete")
	until("it is gone", func() bool {
		_, response, err := client.GetConnector(name)
		return err != nil && response.StatusCode == http.StatusNotFound
	})
	fmt.Println("done")
}

// The client does not know of validation, offsets and stop: they are asked for through its own requests.
func send(method, path string, body, answer any) (*http.Response, error) {
	request, err := client.NewRequest(method, path, body)
	check(err == nil, path, err)
	return client.Do(request, answer)
}

func validate(config connect.ConnectorConfig) {
	var answer struct {
		Name   string `json:"name"`
		Errors int    `json:"error_count"`
	}
	path := "connector-plugins/" + class + "/config/validate"
	response, err := send("PUT", path, config, &answer)
	expect(response, err, http.StatusOK, "validate")
	check(answer.Name == class && answer.Errors == 0, "validate", answer)
	response, err = send("PUT", path, map[string]any{"connector.class": class, "tasks.max": 1}, &answer)
	expect(response, err, http.StatusOK, "validate")
	check(answer.Errors > 0, "validate without a name", answer)
}

func offsets() {
	path := "connectors/" + name + "/offsets"
	until("its offset is committed", func() bool {
		var answer struct {
			Offsets []struct {
				Partition map[string]string `json:"partition"`
				Offset    map[string]int64  `json:"offset"`
			} `json:"offsets"`
		}
		response, err := send("GET", path, nil, &answer)
		expect(response, err, http.StatusOK, "offsets")
		return len(answer.Offsets) == 1 && answer.Offsets[0].Offset["position"] > 0
	})
	response, err := send("DELETE", path, nil, nil)
	check(err != nil && response.StatusCode == http.StatusBadRequest, "reset while it runs", err)
	response, err = send("PUT", "connectors/"+name+"/stop", nil, nil)
	expect(response, err, http.StatusNoContent, "stop")
	until("it is stopped", func() bool {
		status, response, err := client.GetConnectorStatus(name)
		expect(response, err, http.StatusOK, "status")
		return status.Connector.State == "STOPPED" && len(status.Tasks) == 0
	})
	var answer struct {
		Message string `json:"message"`
	}
	response, err = send("DELETE", path, nil, &answer)
	expect(response, err, http.StatusOK, "reset")
	check(answer.Message != "", "reset", answer)
	response, err = client.ResumeConnector(name)
	expect(response, err, http.StatusAccepted, "resume")
	waitFor("RUNNING")
}

func waitFor(state string) {
	until("it is "+state, func() bool {
		status, response, err := client.GetConnectorStatus(name)
		if err != nil && response != nil && response.StatusCode == http.StatusNotFound {
			return false
		}
		expect(response, err, http.StatusOK, "status")
		return status.Connector.State == state && len(status.Tasks) == 1 && status.Tasks[0].State == state
	})
}

func until(what string, condition func() bool) {
	for end := time.Now().Add(deadline); !condition(); time.Sleep(50 * time.Millisecond) {
		check(time.Now().Before(end), "in vain: "+what, nil)
	}
}

func expect(response *http.Response, err error, status int, what string) {
	check(err == nil && response.StatusCode == status, what, fmt.Sprint(response, err))
}

func check(condition bool, what string, found any) {
	if !condition {
		fmt.Fprintln(os.Stderr, what, found)
		os.Exit(1)
	}
}
