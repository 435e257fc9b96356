# THE map: every function of the platform. Each is one file, `functions_<name>.tf`: its limits, what it `uses`, its
# settings and what invokes it. A function has the permissions of what it uses and no others: concerns.tf says what
# each concern holds.
locals {
  functions = {
    api       = local.function_api       # the data API
    authorize = local.function_authorize # checks the API key of a request or a socket
    chat      = local.function_chat      # answers messages, over HTTP and WebSocket
    extract   = local.function_extract   # turns events into facts
    index     = local.function_index     # keeps the search index in step with the tables
    summarize = local.function_summarize # advances the summary of a conversation
    sweep     = local.function_sweep     # removes the items of deleted conversations
    archive   = local.function_archive   # copies old episodes to S3 and merges the copies
    export    = local.function_export    # writes everything about one user to a file
    erase     = local.function_erase     # removes a user from every store
    migrate   = local.function_migrate   # applies the SQL migrations
  }
}
