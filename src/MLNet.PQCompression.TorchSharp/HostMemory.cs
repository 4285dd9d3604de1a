using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>Values on their way between .NET's memory and a device.</summary>
/// <remarks>
/// To a GPU and back they go by blocks of memory that stay. What the system has yet to hand out, or the driver to pin, costs several times the copy, and a batch is hundreds of megabytes.
/// </remarks>
internal static class HostMemory
{
    /// <summary>Bytes of a block: few enough to stay in a processor's cache, enough to make up for starting a copy.</summary>
    private const int BlockBytes = 8 << 20;

    [ThreadStatic]
    private static Dictionary<ScalarType, Block>? _blocks;

    /// <summary>A copy of values on a device, in the present dispose scope. The caller goes on while they are on their way.</summary>
    /// <param name="values">The values, row-major.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="device">Where to.</param>
    public static Tensor Upload<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, Device device) where T : unmanaged
    {
        long count = 1;
        foreach (long d in shape)
            count = checked(count * d);
        if (values.Length != count)
            throw new ArgumentException($"A tensor of {count} values cannot hold {values.Length}.", nameof(values));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor target = empty(shape, TypeOf<T>(), device), flat = target.view(-1);
        for (int start = 0, length; start < values.Length; start += length)
        {
            length = Math.Min(BlockBytes / ElementSize(flat), values.Length - start);
            using DisposeScope block = NewDisposeScope();
            Tensor part = flat.narrow(0, start, length), host = IsHost(device) ? part : BlockOf(flat.dtype).Loose.narrow(0, 0, length);
            MemoryMarshal.AsBytes(values.Slice(start, length)).CopyTo(host.bytes);
            if (!IsHost(device))
                part.copy_(host.pin_memory(), nonBlocking: true); // libtorch keeps what it pinned, and uses it again when the copy is done
        }
        return target.MoveToOuterDisposeScope();
    }

    /// <summary>A tensor of the host on a device.</summary>
    public static Tensor Move(Tensor host, Device device) => IsHost(device) ? host : host.pin_memory().to(device, non_blocking: true);

    /// <summary>A copy of float32 values as they are laid out logically.</summary>
    public static float[] Download(this Tensor tensor)
    {
        float[] values = GC.AllocateUninitializedArray<float>(checked((int)tensor.numel()));
        tensor.CopyTo<float>(values);
        return values;
    }

    /// <summary>A copy of values as they are laid out logically.</summary>
    /// <exception cref="ArgumentException">The room is not of the tensor's size, or of another type.</exception>
    public static void CopyTo<T>(this Tensor tensor, Span<T> values) where T : unmanaged
    {
        if (tensor.dtype != TypeOf<T>() || tensor.numel() != values.Length)
            throw new ArgumentException($"{tensor.numel()} values of {tensor.dtype} do not go into {values.Length} of {typeof(T).Name}.", nameof(values));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor flat = tensor.detach().contiguous().view(-1);
        for (int start = 0, length; start < values.Length; start += length)
        {
            length = Math.Min(BlockBytes / ElementSize(flat), values.Length - start);
            using DisposeScope block = NewDisposeScope();
            Tensor part = flat.narrow(0, start, length), host = IsHost(flat.device) ? part : BlockOf(flat.dtype).Pinned.narrow(0, 0, length).copy_(part);
            host.bytes.CopyTo(MemoryMarshal.AsBytes(values.Slice(start, length)));
        }
    }

    /// <summary>A copy of int64 codes below 65536.</summary>
    public static ushort[] DownloadCodes(this Tensor tensor)
    {
        var wide = new long[tensor.numel()];
        tensor.CopyTo<long>(wide);
        var codes = new ushort[wide.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertChecked<long, ushort>(wide, codes);
        return codes;
    }

    /// <summary>Codes as the int64 that indexing takes.</summary>
    public static Tensor UploadCodes(ReadOnlySpan<ushort> codes, ReadOnlySpan<long> shape, Device device)
    {
        var wide = new long[codes.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertChecked(codes, wide.AsSpan());
        return Upload<long>(wide, shape, device);
    }

    private static bool IsHost(Device device) => device.type == DeviceType.CPU;

    private static int ElementSize(Tensor tensor) => checked((int)tensor.ElementSize);

    /// <summary>This thread's blocks for a type, made when they are first asked for; they live as long as the thread.</summary>
    private static Block BlockOf(ScalarType type)
    {
        _blocks ??= [];
        if (!_blocks.TryGetValue(type, out Block? block))
        {
            Tensor loose = empty(BlockBytes / type.ElementSize(), type, CPU);
            _blocks[type] = block = new(loose.DetachFromDisposeScope(), loose.pin_memory().DetachFromDisposeScope());
        }
        return block;
    }

    private static ScalarType TypeOf<T>() =>
        typeof(T) == typeof(float) ? ScalarType.Float32
        : typeof(T) == typeof(double) ? ScalarType.Float64
        : typeof(T) == typeof(long) ? ScalarType.Int64
        : throw new ArgumentException($"{typeof(T).Name} is no type of tensor here.");

    /// <summary>Memory that stays: values are put together in the one for their way to a GPU, and arrive in the other.</summary>
    private sealed record Block(Tensor Loose, Tensor Pinned);
}
