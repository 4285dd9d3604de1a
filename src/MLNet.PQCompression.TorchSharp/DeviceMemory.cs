using System.Runtime.InteropServices;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>What is done where a device runs out of memory: work on fewer images at once, and say so.</summary>
internal sealed class DeviceMemory(string device, Action<string>? log)
{
    private readonly Dictionary<string, int> _most = new(StringComparer.Ordinal);

    /// <summary>Throws as if the device had no room for so many images; for tests, which have no device to fill.</summary>
    public Action<int>? Allocating { get; set; }

    /// <summary>Whether libtorch says that there was no room.</summary>
    public static bool IsOutOfMemory(Exception e) =>
        e is ExternalException or InvalidOperationException && (
            e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("not enough memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>Does work on a batch that may be cut into parts. Where there is no room it is done again with parts of half the size, at which later work of its kind starts.</summary>
    /// <param name="kind">What the work is, for the message: "evaluating".</param>
    /// <param name="count">Images of the batch.</param>
    /// <param name="work">Does all of it, in parts of so many images at most.</param>
    /// <exception cref="DeviceOutOfMemoryException">There is no room for a single image.</exception>
    public void InParts(string kind, int count, Action<int> work)
    {
        for (int size = Math.Min(_most.GetValueOrDefault(kind, int.MaxValue), count); ; size /= 2)
        {
            try
            {
                Allocating?.Invoke(size);
                work(size);
                return;
            }
            catch (Exception e) when (IsOutOfMemory(e))
            {
                if (size <= 1)
                    throw NoRoom($"{kind} one image", e);
                _most[kind] = size / 2;
                log?.Invoke($"{device} ran out of memory {kind} {size} images at once; {size / 2} from here on.");
            }
        }
    }

    /// <summary>Does a step that cannot be made smaller.</summary>
    /// <param name="what">What it is, for the message: "searching the codes of a layer of 512 rows of 4608".</param>
    /// <param name="work">The step.</param>
    /// <exception cref="DeviceOutOfMemoryException">There is no room for it.</exception>
    public T Whole<T>(string what, Func<T> work)
    {
        try
        {
            Allocating?.Invoke(1);
            return work();
        }
        catch (Exception e) when (IsOutOfMemory(e))
        {
            throw NoRoom(what, e);
        }
    }

    private DeviceOutOfMemoryException NoRoom(string what, Exception e) =>
        new($"{device} has no room for {what}. Free memory of other processes on it, take a device with more, or run this model with the managed backend.", e);
}
