# Beside a fleet that exists: the reader alone, of two regions. No VPC, no cluster, no services.
region         = "ap-southeast-2"
environment    = "existing"
owner          = "platform"
contact        = "platform@example.com"
create_fleet   = false
reader_regions = ["eu-west-1"]
