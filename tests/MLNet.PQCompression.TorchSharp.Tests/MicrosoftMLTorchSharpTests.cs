using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using Microsoft.ML;
using Microsoft.ML.TorchSharp;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>
/// What of Microsoft.ML.TorchSharp works in one process with this TorchSharp, which it was not compiled against. These tests fail when a version comes of which more works;
/// docs/gpu.md has the table to change then.
/// </summary>
public sealed class MicrosoftMLTorchSharpTests : TorchTest
{
    [SkippableFact]
    public void Its_estimators_can_be_made_beside_this_backend()
    {
        _ = Torch;
        var context = new MLContext(1);
        Assert.NotNull(context.MulticlassClassification.Trainers.TextClassification());
        Assert.NotNull(context.Regression.Trainers.SentenceSimilarity());
        Assert.NotNull(context.MulticlassClassification.Trainers.QuestionAnswer());
    }

    [Fact]
    public void One_method_of_TorchSharp_that_it_calls_is_gone()
    {
        // Object detection's backbone calls interpolate as it was.
        Assert.Equal(["interpolate"], Unresolved(typeof(TorchSharpCatalog).Assembly));
    }

    /// <summary>The members of other assemblies that an assembly refers to and that are not there.</summary>
    private static string[] Unresolved(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
            try
            {
                assembly.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle));
            }
            catch (MissingMemberException)
            {
                names.Add(metadata.GetString(metadata.GetMemberReference(handle).Name));
            }
            catch (ArgumentException)
            {
                // a member of a generic type, which needs its arguments
            }
        return [.. names];
    }
}
