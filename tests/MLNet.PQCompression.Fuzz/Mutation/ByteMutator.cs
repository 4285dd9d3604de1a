namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>Damage that knows nothing of structure.</summary>
internal static class ByteMutator
{
    /// <summary>Cuts a file, or changes, removes or repeats a few of its bytes.</summary>
    public static byte[] Mutate(byte[] file, Random random)
    {
        if (file.Length == 0)
            return file;
        int at = random.Next(file.Length), length = Math.Min(random.Next(1, 9), file.Length - at);
        switch (random.Next(8))
        {
            case 0:
                return file[..at];
            case 1:
                return [.. file.AsSpan(0, at), .. file.AsSpan(at + length)];
            case 2:
                return [.. file.AsSpan(0, at + length), .. file.AsSpan(at, length), .. file.AsSpan(at + length)];
            case 3:
                byte[] copied = [.. file];
                int from = random.Next(file.Length - length + 1);
                file.AsSpan(from, length).CopyTo(copied.AsSpan(at));
                return copied;
            default:
                byte[] changed = [.. file];
                for (int i = random.Next(1, 4); i > 0; i--)
                    changed[random.Next(file.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : changed[at] ^ 1 << random.Next(8));
                return changed;
        }
    }
}
