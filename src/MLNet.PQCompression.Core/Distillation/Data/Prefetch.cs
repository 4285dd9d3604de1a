using System.Collections.Concurrent;

namespace MLNet.PQCompression.Distillation.Data;

/// <summary>Draws a sequence ahead of its reader.</summary>
internal static class Prefetch
{
    /// <summary>The same sequence, produced on a background thread at most <paramref name="depth"/> items ahead. An exception there comes out here.</summary>
    public static IEnumerable<T> Ahead<T>(IEnumerable<T> source, int depth, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var queue = new BlockingCollection<T>(depth);
        Task producer = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    foreach (T item in source)
                        queue.Add(item, stop.Token);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    // The reader has left.
                }
                finally
                {
                    queue.CompleteAdding();
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            foreach (T item in queue.GetConsumingEnumerable(cancellationToken))
                yield return item;
            producer.GetAwaiter().GetResult();
        }
        finally
        {
            stop.Cancel();
            ((IAsyncResult)producer).AsyncWaitHandle.WaitOne();
        }
    }
}
