return await RaftQueue.Commands.RaftQueueCommand.RunAsync(args);
