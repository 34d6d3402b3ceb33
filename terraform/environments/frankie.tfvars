# A knitting pattern shop's playground: one hello-world service.
region       = "ap-southeast-2"
environment  = "frankie"
owner        = "K2"
contact      = "k2@example.com"
cluster_name = "k2tog"

services = {
  hello-world = {
    containers = {
      hello-world = {
        image = "hashicorp/http-echo:1.0.0"
        ports = [5678]
      }
    }
    allowed_cidrs = ["0.0.0.0/0"]
  }
}
