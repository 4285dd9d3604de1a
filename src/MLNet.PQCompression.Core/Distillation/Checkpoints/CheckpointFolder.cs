using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace MLNet.PQCompression.Distillation.Checkpoints;

/// <summary>
/// A folder of checkpoints, one file a key. A key is the hash of everything that the run depends on (<see cref="Key"/>), so a changed model, image or option never
/// meets an old state. A file is written under another name and then renamed, and ends in its own hash, so it is whole or it is refused.
/// </summary>
public sealed class CheckpointFolder
{
    private static readonly byte[] Magic = "PQ checkpoint 1\n"u8.ToArray();
    private readonly string _path;

    /// <summary>Uses a folder, which is made when the first checkpoint is saved.</summary>
    public CheckpointFolder(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
    }

    /// <summary>The key of a run: the SHA-256 of the texts that describe what it depends on.</summary>
    public static string Key(params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (string part in parts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The file of a key.</summary>
    public string PathOf(string key) => Path.Combine(_path, key + ".checkpoint");

    /// <summary>Writes a checkpoint in one piece, in place of the key's last one.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string key, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        Directory.CreateDirectory(_path);
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Magic);
            writer.Write(key);
        }
        CheckpointContent.Write(content, checkpoint);
        content.Write(SHA256.HashData(content.GetBuffer().AsSpan(0, (int)content.Length)));
        string temporary = PathOf(key) + ".part";
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
        {
            content.WriteTo(file);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, PathOf(key), overwrite: true);
    }

    /// <summary>Reads the checkpoint of a key, or null where there is none.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or of another key.</exception>
    public Checkpoint? Load(string key)
    {
        string path = PathOf(key);
        if (!File.Exists(path))
            return null;
        byte[] file = File.ReadAllBytes(path);
        int end = file.Length - SHA256.HashSizeInBytes;
        if (end < Magic.Length || !file.AsSpan().StartsWith(Magic) || !SHA256.HashData(file.AsSpan(0, end)).AsSpan().SequenceEqual(file.AsSpan(end)))
            throw new InvalidDataException($"{path} is no checkpoint, or a damaged one; delete it to start from the beginning.");
        using var content = new MemoryStream(file, Magic.Length, end - Magic.Length);
        using var reader = new BinaryReader(content, Encoding.UTF8);
        try
        {
            if (reader.ReadString() is var found && found != key)
                throw new InvalidDataException($"{path} holds the checkpoint of another run ({found}).");
            return CheckpointContent.Read(content, path);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException)
        {
            throw new InvalidDataException($"{path} ends in the middle; delete it to start from the beginning.", e);
        }
    }

    /// <summary>Removes the checkpoint of a key once its run has ended.</summary>
    public void Delete(string key)
    {
        if (Directory.Exists(_path))
            File.Delete(PathOf(key));
    }
}
