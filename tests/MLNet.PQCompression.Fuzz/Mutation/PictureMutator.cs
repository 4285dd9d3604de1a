using System.Buffers.Binary;
using System.IO.Hashing;

namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>Damages a picture: sizes in headers, chunks of a PNG with their checksums made right again, segments of a JPEG, or any bytes.</summary>
internal static class PictureMutator
{
    private const int PngSignature = 8, ChunkFrame = 12;

    /// <summary>Damages a file in a few places.</summary>
    public static byte[] Mutate(byte[] file, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
            file = random.Next(3) == 0 ? ByteMutator.Mutate(file, random)
                : file is [0x89, (byte)'P', ..] ? Chunks(file, random)
                : file is [0xff, 0xd8, ..] ? Segments(file, random)
                : Header(file, random);
        return file;
    }

    private static byte[] Chunks(byte[] file, Random random)
    {
        var chunks = new List<byte[]>();
        for (int at = PngSignature; at + ChunkFrame <= file.Length;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at)) + (long)ChunkFrame;
            if (at + length > file.Length)
                break;
            chunks.Add(file[at..(at + (int)length)]);
            at += (int)length;
        }
        if (chunks.Count == 0)
            return ByteMutator.Mutate(file, random);
        int index = random.Next(chunks.Count);
        switch (random.Next(6))
        {
            case 0:
                chunks.RemoveAt(index);
                break;
            case 1:
                chunks.Insert(index, chunks[random.Next(chunks.Count)]);
                break;
            default:
                chunks[index] = Chunk(chunks[index], random);
                break;
        }
        return PickleMutator.Join([file[..PngSignature], .. chunks]);
    }

    private static byte[] Chunk(byte[] chunk, Random random)
    {
        byte[] body = chunk[8..^4];
        if (body.Length >= 8 && random.Next(2) == 0)
            BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(random.Next(2) * 4), (int)Numbers.Any(random, 9));
        else
            body = ByteMutator.Mutate(body, random);
        byte[] changed = [0, 0, 0, 0, .. chunk.AsSpan(4, 4), .. body, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(changed, random.Next(16) == 0 ? (int)Numbers.Any(random, body.Length) : body.Length);
        BinaryPrimitives.WriteUInt32BigEndian(changed.AsSpan(changed.Length - 4), Crc32.HashToUInt32(changed.AsSpan(4, changed.Length - 8)));
        return changed;
    }

    private static byte[] Segments(byte[] file, Random random)
    {
        var starts = new List<int>();
        for (int i = 2; i + 4 < file.Length; i++)
            if (file[i] == 0xff && file[i + 1] is > 0 and < 0xff)
                starts.Add(i);
        if (starts.Count == 0)
            return ByteMutator.Mutate(file, random);
        int at = starts[random.Next(starts.Count)], other = starts[random.Next(starts.Count)];
        int end = Math.Min(file.Length, at + 2 + (file[at + 2] << 8 | file[at + 3]));
        switch (random.Next(5))
        {
            case 0:
                return [.. file.AsSpan(0, at), .. file.AsSpan(Math.Max(at, end))];
            case 1:
                return [.. file.AsSpan(0, other), .. file.AsSpan(at, Math.Max(0, end - at)), .. file.AsSpan(other)];
            default:
                byte[] changed = [.. file];
                int place = Math.Min(file.Length - 2, at + 2 + random.Next(12));
                BinaryPrimitives.WriteInt16BigEndian(changed.AsSpan(place), (short)Numbers.Any(random, changed[place]));
                return changed;
        }
    }

    private static byte[] Header(byte[] file, Random random)
    {
        if (file.Length < 32)
            return ByteMutator.Mutate(file, random);
        byte[] changed = [.. file];
        BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(random.Next(26)), (int)Numbers.Any(random, changed[18]));
        return changed;
    }
}
