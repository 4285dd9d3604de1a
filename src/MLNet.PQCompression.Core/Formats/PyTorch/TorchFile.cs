using System.Buffers.Binary;
using System.Numerics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>The two containers of torch.save: the zip of torch 1.6 and later, and the run of pickles before it.</summary>
internal sealed class TorchFile
{
    private static BigInteger LegacyMagic => new([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);

    private readonly Dictionary<string, ReadOnlyMemory<byte>> _storages = new(StringComparer.Ordinal);
    private TorchZip? _zip;
    private long _decodedBytesLeft;

    private TorchFile(object? root, long fileLength) => (Root, _decodedBytesLeft) = (root, 16 * fileLength + (1 << 20));

    /// <summary>The object that was saved.</summary>
    public object? Root { get; }

    public static bool DetectZip(ReadOnlySpan<byte> file) => file.StartsWith("PK\x03\x04"u8);

    public static bool DetectLegacy(ReadOnlySpan<byte> file) => file.Length > 14 && file[0] == 0x80 && file[2] == 0x8a && file[3] == 10;

    /// <summary>Reads the container; tensors stay views until <see cref="Read(PickleTensor)"/>.</summary>
    /// <exception cref="InvalidModelException">It is malformed.</exception>
    public static TorchFile Open(ReadOnlyMemory<byte> file) => DetectZip(file.Span) ? OpenZip(file) : OpenLegacy(file);

    /// <summary>Gathers a tensor's elements from its storage.</summary>
    /// <exception cref="InvalidModelException">The view reaches beyond the storage, or the file's tensors would decode to far more than the file.</exception>
    public RawTensor Read(PickleTensor tensor)
    {
        PickleStorage storage = tensor.Storage;
        if (!_storages.TryGetValue(storage.Key, out ReadOnlyMemory<byte> data) && (_zip is null || !_zip.TryRead("data/" + storage.Key, out data)))
            throw new InvalidModelException($"the storage '{storage.Key}' is absent");
        int size = storage.Type.Size();
        if (data.Length / size < storage.Count)
            throw new InvalidModelException($"the storage '{storage.Key}' has {data.Length} bytes; {storage.Count} elements of {storage.Type} were declared");
        int rank = tensor.Shape.Rank;
        if (tensor.Strides.Length != rank)
            throw new InvalidModelException($"a tensor of shape {tensor.Shape} has {tensor.Strides.Length} strides");
        int bytes = RawTensor.ByteCount(storage.Type, tensor.Shape) ?? throw new InvalidModelException($"a tensor of shape {tensor.Shape} is too large");
        long count = bytes / size;
        Int128 last = tensor.Offset;
        for (int i = 0; i < rank && count > 0; i++)
            last += tensor.Strides[i] >= 0 ? (Int128)tensor.Strides[i] * (tensor.Shape[i] - 1) : throw new InvalidModelException("a tensor has a negative stride");
        if (tensor.Offset < 0 || (count > 0 && last >= storage.Count))
            throw new InvalidModelException($"a tensor of shape {tensor.Shape} reaches element {last} of a storage of {storage.Count}");
        _decodedBytesLeft -= bytes;
        if (_decodedBytesLeft < 0)
            throw new InvalidModelException("the tensors overlap so much that they would decode to more than 16 times the file");
        return new(storage.Type, tensor.Shape, Gather(data, size, tensor, (int)count));
    }

    private static ReadOnlyMemory<byte> Gather(ReadOnlyMemory<byte> data, int size, PickleTensor tensor, int count)
    {
        if (IsContiguous(tensor))
            return data.Slice(count == 0 ? 0 : (int)tensor.Offset * size, count * size);
        var result = new byte[count * size];
        var index = new int[tensor.Shape.Rank];
        long at = tensor.Offset;
        for (int i = 0; i < count; i++)
        {
            data.Span.Slice((int)at * size, size).CopyTo(result.AsSpan(i * size));
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                at += tensor.Strides[axis];
                if (++index[axis] < tensor.Shape[axis])
                    break;
                at -= tensor.Strides[axis] * tensor.Shape[axis];
                index[axis] = 0;
            }
        }
        return result;
    }

    private static bool IsContiguous(PickleTensor tensor)
    {
        long expected = 1;
        for (int axis = tensor.Shape.Rank - 1; axis >= 0; axis--)
        {
            if (tensor.Shape[axis] != 1 && tensor.Strides[axis] != expected)
                return false;
            expected *= tensor.Shape[axis];
        }
        return true;
    }

    private static TorchFile OpenLegacy(ReadOnlyMemory<byte> file)
    {
        var unpickler = new Unpickler(file);
        if (unpickler.Load() is not BigInteger magic || magic != LegacyMagic)
            throw new InvalidModelException("it is a pickle, but not one that torch.save wrote");
        if (unpickler.Load() is not 1001L)
            throw new InvalidModelException("its torch protocol is not 1001");
        if (unpickler.Load() is PickleDict system && system.GetValueOrDefault("little_endian") is false)
            throw new InvalidModelException("it was written on a big-endian machine");
        var result = new TorchFile(unpickler.Load(), file.Length);
        if (unpickler.Load() is not List<object?> keys)
            throw new InvalidModelException("the list of storages is missing");
        int position = unpickler.Position;
        foreach (object? item in keys)
        {
            if (item is not string key || file.Length - position < 8)
                throw new InvalidModelException($"the file ends before the storage '{item}'");
            long count = BinaryPrimitives.ReadInt64LittleEndian(file.Span[position..]);
            position += 8;
            if (unpickler.Storages.GetValueOrDefault(key)?.Type is not { } type)
                throw new InvalidModelException($"the storage '{key}' belongs to no tensor");
            if (count < 0 || count > (file.Length - position) / type.Size())
                throw new InvalidModelException($"the storage '{key}' claims {count} elements of {type}; {file.Length - position} bytes are left");
            int bytes = (int)count * type.Size();
            result._storages[key] = file.Slice(position, bytes);
            position += bytes;
        }
        return result;
    }

    private static TorchFile OpenZip(ReadOnlyMemory<byte> file)
    {
        TorchZip zip = TorchZip.Open(file);
        return new(new Unpickler(zip.Pickle).Load(), file.Length) { _zip = zip };
    }
}
