using System.CommandLine;
using System.Text.Json;
using RaftQueue.Client;
using RaftQueue.Output;

namespace RaftQueue.Commands;

/// <summary>Lists the queues with their counts.</summary>
internal static class QueuesCommand
{
    public static Command Build()
    {
        var settings = new ClientSettings();
        var command = new Command("queues", "The queues and how many jobs are where.");
        settings.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            using RaftQueueClient client = settings.Connect(parsed);
            if (settings.IsJson(parsed)) await WriteJsonAsync(client, cancel);
            else WriteTable(await client.GetQueuesAsync(cancel));
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task WriteJsonAsync(RaftQueueClient client, CancellationToken cancel)
    {
        string? cursor = null;
        do
        {
            string path = "v1/queues?limit=1000" + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor));
            using JsonDocument page = await client.GetJsonAsync(path, cancel: cancel);
            foreach (JsonElement queue in page.RootElement.GetProperty("queues").EnumerateArray()) JsonLine.Write(queue);
            cursor = page.RootElement.TryGetProperty("next", out JsonElement next) ? next.GetString() : null;
        }
        while (cursor is not null);
    }

    private static void WriteTable(IReadOnlyList<QueueInfo> queues)
    {
        var table = new TextTable("QUEUE", "READY", "SCHEDULED", "BLOCKED", "LEASED", "SUCCEEDED", "DEAD", "CANCELLED", "OLDEST", "");
        foreach (QueueInfo queue in queues)
        {
            JobCounts counts = queue.Counts;
            table.Add(
                queue.Name, $"{counts.Ready}", $"{counts.Scheduled}", $"{counts.Blocked}", $"{counts.Leased}", $"{counts.Succeeded}",
                $"{counts.Dead}", $"{counts.Cancelled}", queue.OldestReadyAge is { } age && counts.Ready > 0 ? $"{age.TotalSeconds:0.0}s" : "-", queue.Paused ? "paused" : "");
        }

        table.Write(Console.Out);
    }
}
