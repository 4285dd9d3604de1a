using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace ScoringWeb.Tests;

[Collection(ServiceFixture.Name)]
public sealed class ApiTests(ServiceFixture service)
{
    [Fact]
    public async Task BothNetworksGiveProbabilitiesBestFirst()
    {
        using HttpResponseMessage response = await service.Client.PostAsync("api/score?top=10", new ByteArrayContent(service.Picture));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Answer answer = (await response.Content.ReadFromJsonAsync<Answer>())!;
        foreach (Opinion opinion in new[] { answer.Teacher, answer.Student })
        {
            Assert.Equal(10, opinion.Classes.Count);
            Assert.Equal(1, opinion.Classes.Sum(c => c.Probability), 1e-6);
            Assert.Equal(opinion.Classes.OrderByDescending(c => c.Probability), opinion.Classes);
        }
    }

    [Fact]
    public async Task TheCompressedNetworkIsSmaller()
    {
        ModelInfo info = (await service.Client.GetFromJsonAsync<ModelInfo>("api/model"))!;
        Assert.InRange(info.Student.FileBytes, 1, info.Teacher.FileBytes / 5);
        Assert.InRange(info.Student.WeightBytes, 1, info.Teacher.WeightBytes / 3);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xE0, 0, 16 })]
    [InlineData(new byte[] { 60, 104, 116, 109, 108, 62 })]
    public async Task WhatIsNoPictureIsRefusedWithTheReason(byte[] bytes)
    {
        using HttpResponseMessage response = await service.Client.PostAsync("api/score", new ByteArrayContent(bytes));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.NotEmpty(await Detail(response));
    }

    [Fact]
    public async Task ALargeUploadIsRefused()
    {
        using HttpResponseMessage response = await service.Client.PostAsync("api/score", new ByteArrayContent(new byte[200_000]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task APictureOfTooManyPixelsIsRefusedBeforeItIsDecoded()
    {
        // A grey map of 4,000 × 4,000 pixels whose pixels are not there: the header alone is judged.
        using HttpResponseMessage response = await service.Client.PostAsync("api/score", new ByteArrayContent("P5 4000 4000 255\n"u8.ToArray()));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("pixel", await Detail(response), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task AnImpossibleTopIsRefused()
    {
        using HttpResponseMessage response = await service.Client.PostAsync("api/score?top=0", new ByteArrayContent(service.Picture));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task TheInterfaceIsDescribed()
    {
        JsonElement description = await service.Client.GetFromJsonAsync<JsonElement>("openapi/v1.json");
        JsonElement paths = description.GetProperty("paths");
        foreach (string path in new[] { "/health", "/api/model", "/api/score" })
            Assert.True(paths.TryGetProperty(path, out _), path);
    }

    private static async Task<string> Detail(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!;
}
