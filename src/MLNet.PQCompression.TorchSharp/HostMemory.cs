using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>Values on their way between .NET's memory and a device.</summary>
internal static class HostMemory
{
    /// <summary>A copy of values on a device, in the present dispose scope. Pinned memory goes there while the caller goes on.</summary>
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
        Tensor host = empty(shape, TypeOf<T>());
        for (int start = 0, most = int.MaxValue / 16; start < values.Length; start += most)
        {
            // The bytes of one tensor may be more than a span can be long.
            Tensor part = host.view(-1).narrow(0, start, Math.Min(most, values.Length - start));
            MemoryMarshal.AsBytes(values.Slice(start, (int)part.numel())).CopyTo(part.bytes);
        }
        return (device.type == DeviceType.CPU ? host : host.pin_memory().to(device, non_blocking: true)).MoveToOuterDisposeScope();
    }

    /// <summary>A copy of float32 values as they are laid out logically.</summary>
    public static float[] Download(this Tensor tensor)
    {
        var values = new float[tensor.numel()];
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
        Tensor flat = tensor.detach().cpu().contiguous().view(-1);
        for (int start = 0, most = int.MaxValue / 16; start < values.Length; start += most)
        {
            Tensor part = flat.narrow(0, start, Math.Min(most, values.Length - start));
            part.bytes.CopyTo(MemoryMarshal.AsBytes(values.Slice(start, (int)part.numel())));
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

    private static ScalarType TypeOf<T>() =>
        typeof(T) == typeof(float) ? ScalarType.Float32
        : typeof(T) == typeof(double) ? ScalarType.Float64
        : typeof(T) == typeof(long) ? ScalarType.Int64
        : throw new ArgumentException($"{typeof(T).Name} is no type of tensor here.");
}
